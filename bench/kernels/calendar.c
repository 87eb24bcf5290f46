// Times of a clock: `len` counts of seconds since 1970 become dates in BCD with the day of the week, and days again.
#include "kernel.h"

struct date {
  u16 year;
  u8 month, day, hour, minute, second, weekday;
};
struct input {
  struct date dates[64];
  u32 seconds[64];
};

static u8 bcd(u32 value) { return (u8)(value / 10 << 4 | value % 10); }

/** Years begin in March here, so that a leap day is their last. */
static void split(u32 seconds, struct date *date) {
  u32 days = seconds / 86400, rest = seconds % 86400;
  date->hour = bcd(rest / 3600);
  date->minute = bcd(rest % 3600 / 60);
  date->second = bcd(rest % 60);
  date->weekday = (u8)((days + 4) % 7);
  u32 shifted = days + 719468;
  u32 era = shifted / 146097, day_of_era = shifted % 146097;
  u32 year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  u32 day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
  u32 month = (5 * day_of_year + 2) / 153;
  date->day = bcd(day_of_year - (153 * month + 2) / 5 + 1);
  date->month = (u8)(month < 10 ? month + 3 : month - 9);
  date->year = (u16)(year + era * 400 + (date->month <= 2));
}

static u8 is_leap(u32 year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static u32 days_since_1970(u32 year, u32 month, u32 day) {
  static const u8 lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  u32 days = day - 1;
  for (u32 each = 1970; each < year; each++)
    days += is_leap(each) ? 366 : 365;
  for (u32 each = 1; each < month; each++)
    days += lengths[each - 1] + (each == 2 && is_leap(year));
  return days;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u64 hash = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    struct date *date = &input->dates[i];
    split(input->seconds[i], date);
    u32 day = (u32)((date->day >> 4) * 10 + (date->day & 15));
    hash = hash * 31 + days_since_1970(date->year, date->month, day);
  }
  return hash;
}

// Helpers by the numbers that µBPF on RIOT gives them (Femto-Containers, and the rBPF port that keeps them). Numbers are hexadecimal
// there: printf 0x01, gpio 0x70. Variable arguments are words, as AAPCS passes them.

import { helperTable } from '../prototypes.ts'
import type { HelperTable } from '../helpers.ts'

export const riotHelpers: HelperTable = helperTable({
  0x01: 'int bpf_printf(const char *format, u32 a, u32 b, u32 c, u32 d)',
  0x02: 'void *bpf_memcpy(void *destination, const void *source, size_t size)',
  0x03: 'void bpf_print_debug(u32 value)',
  // Key and value stores: the container's own and the device's.
  0x10: 'int bpf_store_local(u32 key, u32 value)',
  0x11: 'int bpf_store_global(u32 key, u32 value)',
  0x12: 'int bpf_fetch_local(u32 key, u32 *value)',
  0x13: 'int bpf_fetch_global(u32 key, u32 *value)',
  0x20: 'u32 bpf_now_ms(void)',
  // Sensors and actuators.
  0x30: 'void *bpf_saul_reg_find_nth(int position)',
  0x31: 'void *bpf_saul_reg_find_type(u8 type)',
  0x32: 'int bpf_saul_reg_read(void *device, void *data)',
  0x33: 'int bpf_saul_reg_write(void *device, void *data)',
  0x40: 'void bpf_gcoap_resp_init(void *context, unsigned code)',
  0x41: 'ssize_t bpf_coap_opt_finish(void *context, unsigned option)',
  0x42: 'void bpf_coap_add_format(void *context, u32 format)',
  0x43: 'u8 *bpf_coap_get_pdu(void *context)',
  0x50: 'size_t bpf_fmt_s16_dfp(char *out, s16 value, int digits)',
  0x51: 'size_t bpf_fmt_u32_dec(char *out, u32 value)',
  0x52: 'size_t bpf_strlen(const char *text)',
  0x60: 'u32 bpf_ztimer_now(void)',
  0x61: 'void bpf_ztimer_periodic_wakeup(u32 *last, u32 period)',
  0x70: 'u64 bpf_gpio_read_input(u32 port, u32 pin)',
  0x71: 'u64 bpf_gpio_read_raw(u32 port, u32 pin)',
  0x72: 'u64 bpf_gpio_write(u32 port, u32 pin, u32 value)',
})

// The bytes of runtime/maps.c, as they run at any address. Written by tools/build-runtime.mjs: do not edit.

/** arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205 */
export const RUNTIME_BASE64 =
  'cLUAI9QYAyyg6wMGoesDBQrYb/ADBJMIY0PMGttDGEQRRIxCBNFwvSxoNGAEO+nnFPgBOwD4AT/z5zC1C0ZFGAAkAyul6wMCBtiJCADrgQAA' +
  'I6hCBtEwvRRwVHCUcNRwBDvu5wD4ATvz53C1AkYPTghGDEZVGAMspesEAwbYiQgC64EDCUmrQgfRcL0baENAc0OD6tMwBDzt5xP4AStCQAH7' +
  'AvCA6tAw7ecAv7F5N55DHggrnb9A8hEQ2EAA8AEAACBwR8NpLenwQQRGAGoTQADrgwAHaI+xe2iTQh7RY2r+GGNoAesDDh5EAyuu6wMMpusD' +
  'BQTYK0SdQgnRvejwgdX4AIDc+ABQqEUH0QQ77OcV+AHrHPgBa7ZF7dA4RtnnC2gaaApgAmgJKgbR0+kCIVKx0WDZaEmximBCaxpgQ2PDagE7' +
  'w2JwR4Fj8+fCY/TnELUERv/3rP9gsQcxBzIJLCHwBwEi8AcCFL8IIxAjEUTIGBC9JPAEAwIrBNADLBS/ASAEIPXn0B0g8AcA8ecDaAkrENGD' +
  'a4tCDdDR6QIyW7HaYMpoUrGTYAAji2CDa8tgM7GZYIFjcEeCY/Lnw2Pz58Fj9+ct6fBBkEZaHrLxgE8GnAZGDUYfRiPSAige0AYoIdH0ue2x' +
  'uPEADxrdb/AAQ6PrCAOrQhTTKUZCRjBG//en/6D7BxQwRv/3Uv+ouybwBAMCKzPRBC0e0SfgNPSAY+DQACAY4P/3Q/8osQkuAtE08EAD9OdB' +
  'IDTqAADx0Rsu0NEPLwjZOkBF6ggFKkMD0QfxAEAIOEAAvejwgVsAn0L82JoAUhgRRkTrk3Sx8QBPdPEABNXSCEbu5wEj7+cDLurRBC3o0bjx' +
  'BA/F5y3p90/d6Qx7DkYVRppGBEbN+ACwO0ZSRilGMEb/94z/3fg4kIBGACg/0A+bmEI82BnwBw850UAhIEb/97j+UkbE6QBlxOkCp8T4ELAp' +
  'RjBG//c4/8TpBQkCRjBG//fi/vC5Gy4e0QE/52EAIAOwvejwj0kAj0L82EseCS4F8QcF42El8AcFFL8IIxAjB/sCkB1EIGJjYqViiQD/94j+' +
  '5OcBIefnQUZIRvfnb/AVAN3ncLUERgBoIPAEAwIrDUYU0P/3sP54sWFoKEb/94j+Akbv8xCGcrYpRiBG//et/gFoYbmG8xCIACAH4Ato4mia' +
  'QvnZ1OkFIAL7AwBwvSBG//cA/4bzEIigaghE9uct6fdPkEbd6QxSAy1y8QADBEYORgfSAGgg8AQDAisF0P/3ev64uW/wFQAR4Ato4WiZQkDy' +
  'h4ABPRVDAPCGgNTpBVCiaAX7AwBBRv/3Df4AIAOwvejwj+/zEIlyttT4BKAwRlFG//c1/jFGAkYHRiBG//dc/gNo1OkHK3uxAS1b0CBGGUYB' +
  'k//3tv6kagGbgmhBRhgZ//fo/QAgEOACLU7QZWv9uSFr42iZQgvSSxwjY9TpBTUD+wFVtblv8AYAifMQiMXnI2gJK/fR5WtpaBFAC+uBAQto' +
  'nUIq0SBGAZL/91P+AZoraGNjYGoH6gIDMUZSRihEAZP/97f9oGqiaEFGKET/97H9AZtvYFv4IyAqYEv4I1AjaAkrBtEAI6tgo2vrYDuxnWCl' +
  'Y+NqATPjYrPnGUbP5+Vj9udv8BAAv+dv8AEAvOdv8AYAgudv8BAAf+dwtQRGAGgNRv/33v3AsWFoKEb/97b9Akbv8xCGcrYpRiBG//fb/QNo' +
  'AUYzsSBG//cD/gAghvMQiHC9b/ABAPnnb/AVAPjnA2gDKwfRw2iLQgfZg2kAIEP4ISBwR2/wFQBwR2/wBgBwR/C1BWgbLd3pBRQc0SFDGtHB' +
  'aZFCT/AAAZlBFNPv8xCFcrYi8EBDRmqBasdpDzMj8AcDM0SOQgjRBGqBYhwbvEIR2YXzEIgAICDghGkB6gcMVPgMQAAs79sk8EBEDzQk8AcE' +
  'IUTm51kauULq2AbqBwSGaULwAEIxGTJRChpKYL/zW49DYoXzEIgB8QgA8L1Q+Ag8v/NbjwPxAENA+Ag8cEdQ+Ag8v/Nbj4PwQENA+Ag8cEct' +
  '6fdDB2gbLw1GFkbd6QpBHdEELHHxAAEZ0k/wAAhP8AAJzekAif/3kv8ERpCxMkYpRv/35PxU+Ag8v/NbjwPxAENE+Ag8ACADsL3o8INv8BUA' +
  '+edv8AoA9ucBaBspFtFS6gMBBNHQ6QgDGBoAIXBHUR4ZQwHRwGj455EeGUMB0QBq8+cDOhpDAdFAau7nACDs59DpBzKBaRNAy1i/81uPI/BA' +
  'Qw8zI/AHAxNEA2JwRxC1DEYCakNqv/Nbj5pCCdDQ6QcygWkaQIsYili/81uPACoB2gAgEL1RAAPUImAD8QgA+Of/99X/5Oc='

/** Bytes from the beginning to each function; bit 0, the Thumb state, is clear. */
export const RUNTIME_OFFSETS = {
  map_storage: 452,
  map_init: 652,
  map_lookup: 828,
  map_update: 920,
  map_delete: 1256,
  map_set_program: 1326,
  ringbuf_reserve: 1360,
  ringbuf_submit: 1502,
  ringbuf_discard: 1520,
  ringbuf_output: 1538,
  ringbuf_query: 1628,
  ringbuf_release: 1684,
  ringbuf_peek: 1714,
} as const

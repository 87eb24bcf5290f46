/* A packet filter: is this Ethernet frame a CoAP request over UDP and IPv4 for this node, and which?
 * ctx: the frame; len: its length in bytes.
 * Returns 0 to drop the frame; else, from the low byte on: the CoAP method (1 GET, 2 POST, 3 PUT, 4 DELETE), the length
 * of the token, and in the next 16 bits the message's number. */
#include <stdint.h>

#define ETHERTYPE_IPV4 0x0800
#define PROTOCOL_UDP 17
#define PORT_COAP 5683

static uint32_t big16(const uint8_t *bytes) { return (uint32_t)bytes[0] << 8 | bytes[1]; }

/* The Internet checksum of the header: 0xffff if it is as it should be. */
static __attribute__((noinline)) uint32_t header_sum(const uint8_t *header, uint32_t length) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < length; i += 2) sum += big16(header + i);
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

uint64_t packet(const uint8_t *frame, uint64_t len) {
  if (len < 14 + 20 + 8 + 4) return 0;
  if (big16(frame + 12) != ETHERTYPE_IPV4) return 0;

  const uint8_t *ip = frame + 14;
  uint32_t header = (ip[0] & 15) * 4;
  if (ip[0] >> 4 != 4 || header < 20) return 0;
  if (14 + header + 8 + 4 > len) return 0;
  if (ip[9] != PROTOCOL_UDP) return 0;
  if (big16(ip + 6) & 0x3fff) return 0; /* a fragment */
  if (header_sum(ip, header) != 0xffff) return 0;

  const uint8_t *udp = ip + header;
  if (big16(udp + 2) != PORT_COAP) return 0;
  uint32_t size = big16(udp + 4);
  if (size < 8 + 4 || 14 + header + size > len) return 0;

  const uint8_t *coap = udp + 8;
  uint32_t token = coap[0] & 15, method = coap[1];
  if (coap[0] >> 6 != 1 || token > 8) return 0;
  if (method < 1 || method > 4) return 0;
  return (uint64_t)big16(coap + 2) << 16 | token << 8 | method;
}

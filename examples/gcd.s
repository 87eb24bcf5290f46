; The greatest common divisor of two 32-bit numbers at ctx, by Euclid: BPF assembly, no compiler needed.
; It may be written in the kernel's syntax, as here, or in that of ubpf (`mov %r0, 0`).
        r0 = *(u32 *)(r1 + 0)
        r2 = *(u32 *)(r1 + 4)
again:  if r2 == 0 goto done
        r3 = r0
        r3 %= r2
        r0 = r2
        r2 = r3
        goto again
done:   exit

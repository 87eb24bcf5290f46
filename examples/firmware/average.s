; The average of four channels, scaled by a helper of another signature; LED 3 says whether it is over a limit.
; ctx: the limit, a word. Calls helpers of helpers.h by their numbers.
        r6 = r1
        r7 = 0
        r8 = 0
next:   r1 = r8
        call 64
        r7 += r0
        r8 += 1
        if r8 != 4 goto next
        r7 >>= 2
        r1 = r7
        r2 = 3
        r3 = 1
        call 66
        r7 = r0
        r1 = 3
        r2 = 0
        r3 = *(u32 *)(r6 + 0)
        if r3 >= r7 goto set
        r2 = 1
set:    call 65
        r0 = r7
        exit

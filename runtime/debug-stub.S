@ What a machine behind a debugger needs on the target: it takes the exceptions over while programs run, keeps the
@ firmware's interrupts waiting, catches faults, and reads a timer. The host (src/machine/gdb/machine.ts) writes it
@ to RAM, sets PC to one of its routines and waits for `stop` or `caught`. It runs wherever it is put, 4-aligned.
@ DDI 0403E B1.5 (exceptions), B3.2 (system control).

        .syntax unified
        .cpu    cortex-m4
        .thumb

@ Words that host and stub share. The host fills in the first ones.
        .global data
data:
        .equ    VTOR, 0                 @ the vector table, MSP and PSP for programs
        .equ    MSP, 4
        .equ    PSP, 8
        .equ    TIMER, 12               @ a CMSDK timer that counts down
        .equ    R0, 16                  @ of a start with the timer
        .equ    R1, 20
        .equ    PC, 24
        .equ    OLD_VTOR, 28            @ what `setup` found
        .equ    OLD_CONTROL, 32
        .equ    OLD_MSP, 36
        .equ    OLD_PSP, 40
        .equ    OLD_PRIMASK, 44
        .equ    CFSR, 48                @ of the last fault
        .equ    HFSR, 52
        .equ    MMFAR, 56
        .equ    BFAR, 60
        .equ    FRAME, 64               @ PSP in the handler: where the exception frame is
        .equ    RETURN, 68              @ EXC_RETURN
        .equ    TICKS, 72               @ the timer's values at a start and at the exception behind it
        .equ    TICKS_END, 76
        .space  80

@ Exceptions and stacks of our own. Interrupts stay pending: PRIMASK is set, so every fault is a HardFault.
        .global setup
setup:
        mrs     r2, primask
        cpsid   i
        adr     r0, data
        str     r2, [r0, #OLD_PRIMASK]
        mrs     r2, control
        str     r2, [r0, #OLD_CONTROL]
        mrs     r2, msp
        str     r2, [r0, #OLD_MSP]
        mrs     r2, psp
        str     r2, [r0, #OLD_PSP]
        ldr     r1, scb_vtor
        ldr     r2, [r1]
        str     r2, [r0, #OLD_VTOR]
        ldr     r2, [r0, #VTOR]
        str     r2, [r1]
        dsb
        ldr     r2, [r0, #PSP]
        msr     psp, r2
        movs    r2, #2                  @ CONTROL.SPSEL: programs use PSP, the handler MSP
        msr     control, r2
        isb
        ldr     r2, [r0, #MSP]
        msr     msp, r2
        b       stop

@ Everything as `setup` found it. The host restores registers and memory.
        .global restore
restore:
        adr     r0, data
        ldr     r1, scb_vtor
        ldr     r2, [r0, #OLD_VTOR]
        str     r2, [r1]
        dsb
        ldr     r2, [r0, #OLD_MSP]
        msr     msp, r2
        ldr     r2, [r0, #OLD_PSP]
        msr     psp, r2
        ldr     r2, [r0, #OLD_CONTROL]
        msr     control, r2
        isb
        ldr     r2, [r0, #OLD_PRIMASK]
        msr     primask, r2
        .global stop
stop:
        bkpt    #0xfe

@ Every exception, BKPT among them where the debugger does not see it. r4-r11 are the program's still; the others are in its frame.
        .global caught
        .global handler
handler:
        adr     r0, data
        ldr     r1, [r0, #TIMER]
        cbz     r1, 1f
        ldr     r1, [r1, #4]
        str     r1, [r0, #TICKS_END]
1:
        ldr     r1, scb_cfsr
        ldr     r2, [r1]
        str     r2, [r0, #CFSR]
        str     r2, [r1]                @ ones clear
        ldr     r2, [r1, #4]
        str     r2, [r0, #HFSR]
        str     r2, [r1, #4]
        ldr     r2, [r1, #12]
        str     r2, [r0, #MMFAR]
        ldr     r2, [r1, #16]
        str     r2, [r0, #BFAR]
        mrs     r2, psp
        str     r2, [r0, #FRAME]
        str     lr, [r0, #RETURN]
caught:
        bkpt    #0xfd

@ Out of the handler, by a frame that the host has put at FRAME: the program's own may not be in memory.
        .global leave
leave:
        adr     r0, data
        ldr     r1, [r0, #FRAME]
        msr     psp, r1
        mvn     lr, #2                  @ EXC_RETURN: thread, PSP, no floating point
        bx      lr

@ A start at PC that notes the timer first.
        .global start
start:
        ldr     r1, data + TIMER
        adr     r0, data
        ldr     r1, [r1, #4]
        str     r1, [r0, #TICKS]
        ldr     r1, [r0, #R1]
        ldr     r0, [r0, #R0]
        ldr     pc, data + PC

@ Starts the timer, from its greatest value down.
        .global count
count:
        ldr     r1, data + TIMER
        mvn     r2, #0
        str     r2, [r1, #8]
        str     r2, [r1, #4]
        movs    r2, #1
        str     r2, [r1]
        b       stop

        .balign 4
scb_vtor: .word 0xe000ed08
scb_cfsr: .word 0xe000ed28

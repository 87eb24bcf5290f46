@ Vectors, the beginning, and what of exceptions can't be written in C. All runs on the main stack, privileged.

        .syntax unified
        .cpu cortex-m4
        .thumb

        .section .vectors, "a"
        .word stack_top
        .word reset
        .word unused                    @ NMI
        .word faulted                   @ HardFault
        .word faulted                   @ MemManage
        .word faulted                   @ BusFault
        .word faulted                   @ UsageFault
        .word 0, 0, 0, 0
        .word unused                    @ SVCall
        .word unused                    @ DebugMonitor
        .word 0
        .word unused                    @ PendSV
        .word ticked                    @ SysTick
        .word line_interrupt            @ 0: the agent's line receives

        .text
        .global reset
        .type reset, %function
reset:  ldr r0, =data_start
        ldr r1, =data_end
        ldr r2, =data_values
1:      cmp r0, r1
        bhs 2f
        ldr r3, [r2], #4
        str r3, [r0], #4
        b 1b
2:      ldr r1, =bss_end
        movs r3, #0
3:      cmp r0, r1
        bhs 4f
        str r3, [r0], #4
        b 3b
4:      bl main
        b .

        .type unused, %function
unused: b .

@ The frame goes to C, which says with which frame to return. r4 is the caller's of guard_enter again where that is another one.
        .type faulted, %function
faulted:
        mrs r0, msp
        push {r4, lr}
        bl fault
        b resume

        .type ticked, %function
ticked: mrs r0, msp
        push {r4, lr}
        bl tick
resume: pop {r4, lr}
        msr msp, r0
        bx lr

@ uint64_t guard_enter(entry, ctx, len, env)
        .global guard_enter, guard_return
        .type guard_enter, %function
        .type guard_return, %function
guard_enter:
        push {r4-r11, lr}
        sub sp, sp, #4
        ldr r4, =guard_sp
        mov r12, r0
        mov r0, r1
        mov r1, r2
        mov r2, r3
        str sp, [r4]
        blx r12
guard_return:
        ldr r4, =guard_sp
        movs r3, #0
        str r3, [r4]
        add sp, sp, #4
        pop {r4-r11, pc}

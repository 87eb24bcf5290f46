@ What thumbpf has compiled, in flash.

        .syntax unified
        .thumb
        .section .text.fletcher32, "ax"
        .balign 4
        .global fletcher32
        .type fletcher32, %function
fletcher32:
        .incbin "fletcher32.bin"

        .section .rodata.average, "a"
        .balign 16
        .global average_image, average_image_end
average_image:
        .incbin "average.tbpf"
average_image_end:

        .balign 16
        .global in_place_image, in_place_image_end
in_place_image:
        .incbin "in-place.tbpf"
in_place_image_end:

@ Images that thumbpf has compiled, in flash.

        .syntax unified
        .section .rodata.images, "a"
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

# The first sector of the disk, which the BIOS loads to 0x7c00. Loads the image, which is the rest of the
# disk, to 0x200000, goes from 16 to 64 bits, enables the registers of AVX-512, and calls the image.
        .set    CHUNK, 64               # sectors at a time
        .set    CHUNKS, 96              # 3 MiB
        .code16
        .globl  _start
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movw    $CHUNKS, %bp
load:   movb    $0x42, %ah              # read sectors to 0x10000
        movb    $0x80, %dl
        movw    $packet, %si
        int     $0x13
        jc      fail
        movb    $0x87, %ah              # move words to where `to` says
        movw    $CHUNK * 256, %cx
        movw    $moves, %si
        int     $0x15
        jc      fail
        addw    $CHUNK, sector
        addw    $CHUNK * 512, to
        adcb    $0, to + 2
        decw    %bp
        jnz     load

        movw    $0x2401, %ax            # the 21st address line on
        int     $0x15
        cli
        movw    $0x1000, %di            # page tables: the first GiB is one page
        xorl    %eax, %eax
        movw    $0x800, %cx
        cld
        rep stosl
        movl    $0x2003, 0x1000         # level 4 -> level 3
        movl    $0x0083, 0x2000         # one page of 1 GiB
        movl    $0x1000, %eax
        movl    %eax, %cr3
        movl    $0x40620, %eax          # PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       # EFER: long mode
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    $0x80000003, %eax       # paging, monitored coprocessor, protected mode
        movl    %eax, %cr0
        lgdt    table
        ljmp    $8, $long
fail:   hlt
        jmp     fail

        .code64
long:   xorl    %eax, %eax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        movl    $0xe7, %eax             # XCR0: x87, SSE, AVX, AVX-512
        xsetbv
        movl    $0x4000000, %esp        # 64 MiB
        movl    $0x200000, %eax
        callq   *%rax
        hlt

        .balign 8
descriptors:
        .quad   0
        .quad   0x00209a0000000000      # 64-bit code
table:  .word   15
        .long   descriptors
packet: .word   16, CHUNK, 0, 0x1000
sector: .quad   1
moves:  .quad   0, 0
        .word   0xffff, 0x0000, 0x9301, 0 # from 0x010000
        .word   0xffff
to:     .word   0x0000, 0x9320, 0       # to 0x200000
        .quad   0, 0
        .org    510
        .word   0xaa55

/* Start and output of a Cortex-M4F, here the board mps2-an386 of QEMU.
 *
 * Prints through the debugger's interface (semihosting), here the emulator's.
 */
#include <stdint.h>

#include "board.h"

/* From memory.ld. */
extern uint32_t stack_top[], data_in_flash[], data_start[], data_end[], bss_start[], bss_end[];

int main(void);
void reset(void);

/* The coprocessor access control register: CP10 and CP11 are the floating-point unit. */
#define CPACR (*(volatile uint32_t *)0xE000ED88)

static uint32_t semihosting(uint32_t operation, uint32_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uint32_t r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* SYS_OPEN, then SYS_WRITE, to the debugger's standard output. */
void print(const char *text)
{
    static const char name[] = ":tt";
    static uint32_t output;
    uint32_t length = 0;

    if (output == 0) {
        const uint32_t open[3] = {(uint32_t)name, 4, sizeof name - 1};
        output = semihosting(0x01, (uint32_t)open);
    }
    while (text[length] != '\0')
        length++;
    const uint32_t write[3] = {output, (uint32_t)text, length};
    semihosting(0x05, (uint32_t)write);
}

/* Ends the emulation; the emulator's exit status is 0 or not. */
static void end(int status)
{
    /* SYS_EXIT: ADP_Stopped_ApplicationExit or ADP_Stopped_RunTimeErrorUnknown */
    semihosting(0x18, status == 0 ? 0x20026 : 0x20023);
    for (;;)
        ;
}

void reset(void)
{
    uint32_t *from, *to;

    /* The library is built for the floating-point unit: without this the first step is a fault.
     * FPSCR stays as it is after a reset, with rounding to nearest and without flush-to-zero. */
    CPACR |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");

    for (from = data_in_flash, to = data_start; to < data_end;)
        *to++ = *from++;
    for (to = bss_start; to < bss_end;)
        *to++ = 0;
    end(main());
}

static void fault(void)
{
    print("fault\n");
    end(1);
}

/* The stack, reset, then NMI to SysTick; the programs enable no interrupt. */
__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault,
    0, 0, 0, 0, fault, fault, 0, fault, fault,
};

/* What the programs need of the board, or of the host: somewhere to print to. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void print(const char *text);

/* A space, and the number in eight hexadecimal digits. */
static inline void print_bits(uint32_t bits)
{
    char text[10];
    int i;

    text[0] = ' ';
    for (i = 8; i > 0; i--) {
        text[i] = "0123456789abcdef"[bits & 15];
        bits >>= 4;
    }
    text[9] = '\0';
    print(text);
}

#endif

/* The host, to compare with. */
#include <stdio.h>

#include "board.h"

void print(const char *text)
{
    fputs(text, stdout);
}

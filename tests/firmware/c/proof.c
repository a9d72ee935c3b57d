/* Whether the networks compute here what they must, bit for bit: what is to be run once on a new
 * board or with a new compiler. Then the network in integers as main.c has that in float. */
#include "activity.h"
#include "activity_i8.h"
#include "board.h"

static activity_i8_network network;

/* As in main.c: one of an input stands for 2^-ACTIVITY_I8_X_SHIFT. */
static void sample(int t, int16_t x[ACTIVITY_I8_X])
{
    int k;

    for (k = 0; k < ACTIVITY_I8_X; k++)
        x[k] = (int16_t)(((t * 7 + k * 13) % 64 - 32) * (1 << ACTIVITY_I8_X_SHIFT) / 16);
}

static int proved(const char *name, bool ok)
{
    print(name);
    print(ok ? ": proof ok\n" : ": PROOF FAILED\n");
    return ok;
}

int main(void)
{
    int16_t x[ACTIVITY_I8_X];
    int32_t y[ACTIVITY_I8_Y];
    int t, k, ok = 1;

    ok &= proved("activity", activity_proof());
    ok &= proved("activity_i8", activity_i8_proof());

    activity_i8_reset(&network);
    for (t = 0; t < 32; t++) {
        sample(t, x);
        activity_i8_step(&network, x, y);
        print("activity_i8");
        for (k = 0; k < ACTIVITY_I8_Y; k++)
            print_bits((uint32_t)y[k]);
        print("\n");
    }
    return ok ? 0 : 1;
}

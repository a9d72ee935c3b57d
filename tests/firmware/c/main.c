/* A network in a C program: what a firmware does with each sample of its sensor.
 *
 * The order of the calls is activity_reset once, then activity_step for one input after the other.
 * One activity_network belongs to one stream of inputs, and is for one caller at a time: not for an
 * interrupt and main at once. Different networks do not share anything that is written.
 */
#include "activity.h"
#include "board.h"

/* What the network remembers of its stream; the weights are constants in flash. No heap. */
static activity_network network;

/* Stands for a sensor. The numbers are exact, so that they are the same everywhere. */
static void sample(int t, float x[ACTIVITY_X])
{
    int k;

    for (k = 0; k < ACTIVITY_X; k++)
        x[k] = (float)((t * 7 + k * 13) % 64 - 32) / 16.0f;
}

int main(void)
{
    float x[ACTIVITY_X];
    union {
        float numbers[ACTIVITY_Y];
        uint32_t bits[ACTIVITY_Y];
    } y;
    int t, k;

    activity_reset(&network);
    for (t = 0; t < 32; t++) {
        sample(t, x);
        activity_step(&network, x, y.numbers);
        print("activity");
        for (k = 0; k < ACTIVITY_Y; k++)
            print_bits(y.bits[k]);
        print("\n");
    }
    return 0;
}

/* LSTM (6, 16), dense (16, 4), weights in i8: network.safetensors, written by the example `import` of the Rust crate `bptt`. */
#ifndef ACTIVITY_I8_H
#define ACTIVITY_I8_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers of an input and of an output. */
#define ACTIVITY_I8_X 6
#define ACTIVITY_I8_Y 4
/* One of an input stands for 2^-13, one of an output for 2^-16. */
#define ACTIVITY_I8_X_SHIFT 13
#define ACTIVITY_I8_Y_SHIFT 16

/* What the network remembers of one stream of inputs: for one caller at a time. Its weights are
 * constants. Without a reset before the first step, what comes out is undefined. */
typedef struct {
    uint32_t words[49];
} activity_i8_network;

/* Before the first input, and to forget all inputs. */
void activity_i8_reset(activity_i8_network *network);

/* The outputs y after one more input x. */
void activity_i8_step(activity_i8_network *network,
    const int16_t x[ACTIVITY_I8_X], int32_t y[ACTIVITY_I8_Y]);

/* Whether the network gives here the same bits as everywhere. It is in activity_i8_proof.rs. */
bool activity_i8_proof(void);

#ifdef __cplusplus
}
#endif

#endif

/* LSTM (6, 16), dense (16, 4): network.safetensors, written by the example `import` of the Rust crate `bptt`. */
#ifndef ACTIVITY_H
#define ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers of an input and of an output. */
#define ACTIVITY_X 6
#define ACTIVITY_Y 4

/* What the network remembers of one stream of inputs: for one caller at a time. Its weights are
 * constants. Without a reset before the first step, what comes out is undefined. */
typedef struct {
    uint32_t words[65];
} activity_network;

/* Before the first input, and to forget all inputs. */
void activity_reset(activity_network *network);

/* The outputs y after one more input x. */
void activity_step(activity_network *network,
    const float x[ACTIVITY_X], float y[ACTIVITY_Y]);

/* Whether the network gives here the same bits as everywhere. It is in activity_proof.rs. */
bool activity_proof(void);

#ifdef __cplusplus
}
#endif

#endif

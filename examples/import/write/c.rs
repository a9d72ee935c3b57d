//! The network for C: functions at the end of the module, and their header.

use super::Order;
use crate::read::network::{Kind, Layer};

/// As C has them in `<stdint.h>`.
fn types(order: &Order) -> (&'static str, &'static str, &'static str, &'static str) {
    match order.integers.map(|integers| integers.output()) {
        None => ("f32", "f32", "float", "float"),
        Some("i16") => ("i16", "i16", "int16_t", "int16_t"),
        Some(_) => ("i16", "i32", "int16_t", "int32_t"),
    }
}

/// 32-bit words of a `Network`.
fn words(order: &Order) -> usize {
    let cells = order.network.layers.iter().filter_map(|layer| match layer {
        Layer::Forward(cell) => Some(cell),
        _ => None,
    });
    let words = cells.map(|cell| {
        let bytes = match (order.integers.is_some(), cell.kind) {
            (false, Kind::Lstm) => 8 * cell.units,
            (false, _) => 4 * cell.units,
            (true, Kind::Lstm) => 4 * cell.units + (2 * cell.units).next_multiple_of(4),
            (true, _) => 2 * cell.units,
        };
        2 * bytes
    });
    (words.sum::<usize>() + 1).div_ceil(4)
}

pub fn functions(order: &Order) -> String {
    let (input, output, ..) = types(order);
    let (name, words) = (order.name, words(order));
    format!(
        "
// For C: {name}.h has the same.
const _: () = assert!(size_of::<Network>() <= 4 * {words} && align_of::<Network>() <= 4);

/// [`Network::reset`], and before the first step.
///
/// # Safety
/// `network` can be written, and nobody else uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern \"C\" fn {name}_reset(network: *mut Network) {{
// SAFETY: the caller says that it can be written.
unsafe {{ network.write(Network::new()) }}
}}

/// [`Network::step`].
///
/// # Safety
/// `network` has been reset, there are X numbers at `x` and place for Y at `y`, and nobody else uses
/// any of it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern \"C\" fn {name}_step(network: *mut Network, x: *const [{input}; X], y: *mut [{output}; Y]) {{
// SAFETY: the caller says that all of it is there.
unsafe {{ y.write((*network).step(&*x)) }}
}}
"
    )
}

/// At the end of the proof.
pub fn proof(name: &str) -> String {
    format!(
        "
/// [`proof`] for C: whether nothing is wrong.
#[unsafe(no_mangle)]
pub extern \"C\" fn {name}_proof() -> bool {{
proof().is_ok()
}}
"
    )
}

pub fn header(order: &Order) -> String {
    let (.., input, output) = types(order);
    let Order {
        name,
        from,
        network,
        ..
    } = order;
    let (upper, words) = (name.to_uppercase(), words(order));
    let (x, y) = (network.inputs(), network.outputs());
    let weights = order.integers.map_or("", |integers| integers.suffix());
    let scales = order
        .integers
        .map_or(String::new(), |integers| integers.header(&upper));
    format!(
        "/* {network}{weights}: {from}, written by the example `import` of the Rust crate `bptt`. */
#ifndef {upper}_H
#define {upper}_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {{
#endif

/* Numbers of an input and of an output. */
#define {upper}_X {x}
#define {upper}_Y {y}
{scales}
/* What the network remembers of one stream of inputs: for one caller at a time. Its weights are
 * constants. Without a reset before the first step, what comes out is undefined. */
typedef struct {{
    uint32_t words[{words}];
}} {name}_network;

/* Before the first input, and to forget all inputs. */
void {name}_reset({name}_network *network);

/* The outputs y after one more input x. */
void {name}_step({name}_network *network,
    const {input} x[{upper}_X], {output} y[{upper}_Y]);

/* Whether the network gives here the same bits as everywhere. It is in {name}_proof.rs. */
bool {name}_proof(void);

#ifdef __cplusplus
}}
#endif

#endif
"
    )
}

//! An image that does nothing but classify in integers, with weights of 8 bits.
#![no_std]
#![no_main]

measure::integer_inference!(i8);

//! Providers over real sockets, against who stands in for them.

mod faults;
mod keys;
mod readings;
mod round_trip;
mod support;

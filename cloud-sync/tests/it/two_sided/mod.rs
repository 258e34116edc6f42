//! Robot and cloud together, over real processes: what is written on either side is found on the other, whatever happens to
//! either of them or to the network between.

mod apart;
mod belonging;
mod driving;
mod in_step;
mod notes;
mod pairing;
mod people_drive;
mod system;

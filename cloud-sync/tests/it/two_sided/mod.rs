//! Robot and cloud together, over real processes: what is written on either side is found on the other, whatever happens to
//! either of them or to the network between.

mod apart;
mod belonging;
mod device;
mod driving;
mod faults_database;
mod faults_drive;
mod faults_sync;
mod in_step;
mod notes;
mod pairing;
mod people_drive;
mod speaker;
mod system;
mod thinking;

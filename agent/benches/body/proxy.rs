//! A bad network: a TCP proxy that delays every piece by up to 100 ms each way, keeps their order, and holds 2 % of them back
//! for as long as a lost segment takes to be sent again. What waits behind such a piece waits with it, as TCP has it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::stats::Chance;

/// Delay of a piece, each way, evenly from 0.
const JITTER_MS: u64 = 100;
/// One piece in so many is lost.
const LOST_ONE_IN: u64 = 50;
/// Linux waits at least so long before it sends a lost segment again.
const RETRANSMISSION: Duration = Duration::from_millis(200);
/// Pieces under way at once; a sender that is faster waits.
const PIECES_MAX: usize = 1024;

type Piece = (Instant, Vec<u8>);

/// Starts a proxy before `agent` that lives as long as this process, and gives its address.
pub(crate) fn start(agent: SocketAddr, seed: u64) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for (count, client) in listener.incoming().enumerate() {
            let Ok(client) = client else { return };
            if serve(client, agent, seed + 1000 * count as u64).is_err() {
                return;
            }
        }
    });
    Ok(address)
}

fn serve(client: TcpStream, agent: SocketAddr, seed: u64) -> anyhow::Result<()> {
    let agent = TcpStream::connect(agent)?;
    carry(client.try_clone()?, agent.try_clone()?, seed)?;
    carry(agent, client, seed + 1)
}

fn carry(from: TcpStream, to: TcpStream, seed: u64) -> anyhow::Result<()> {
    to.set_nodelay(true)?;
    let (sender, pieces) = sync_channel(PIECES_MAX);
    std::thread::spawn(move || take(from, &sender, Chance::new(seed)));
    std::thread::spawn(move || deliver(to, &pieces));
    Ok(())
}

fn take(mut from: TcpStream, pieces: &SyncSender<Piece>, mut chance: Chance) {
    let mut bytes = [0; 65_536];
    let mut newest_due = Instant::now();
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let is_lost = chance.within(1, LOST_ONE_IN) == 1;
        let delay = chance.up_to_ms(JITTER_MS) + if is_lost { RETRANSMISSION } else { Duration::ZERO };
        newest_due = newest_due.max(Instant::now() + delay);
        if pieces.send((newest_due, bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

fn deliver(mut to: TcpStream, pieces: &Receiver<Piece>) {
    for (due, bytes) in pieces {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    drop(to.shutdown(Shutdown::Both));
}

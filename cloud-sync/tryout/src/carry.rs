//! Carries bytes between a client and a server on this machine that would not bear what clients do to connections.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;

/// Bytes that are carried at once.
const AT_ONCE: usize = 16 * 1024;

/// Carries bytes both ways until the server has closed its side. A client that resets its connection reads as one that
/// leaves, and what the server still says to it is thrown away: the server never sees an error. `first` is what the server
/// has said already.
pub(crate) async fn carry(mut client: TcpStream, mut server: TcpStream, first: &[u8]) {
    // Messages are small and many; neither side shall wait for more of them.
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = async {
        copy(&mut from_client, &mut to_server).await.ok();
        to_server.shutdown().await.ok();
        std::future::pending::<()>().await;
    };
    let down = async {
        let heard = async {
            to_client.write_all(first).await?;
            carry_down(&mut from_server, &mut to_client).await
        };
        if heard.await.is_err() {
            copy(&mut from_server, &mut sink()).await.ok();
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// Carries what the server says, and acknowledges it at once: one that waits for that before it says the next thing (Nagle's
/// algorithm, which the broker leaves on) would wait for 40 ms.
async fn carry_down(server: &mut ReadHalf<'_>, client: &mut (impl AsyncWriteExt + Unpin)) -> io::Result<()> {
    let mut bytes = vec![0; AT_ONCE];
    loop {
        let read = server.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        // The kernel forgets this again and again.
        server.as_ref().set_quickack(true).ok();
        client.write_all(&bytes[..read]).await?;
    }
}

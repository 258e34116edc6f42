//! Carries bytes between a client and a server on this machine that would not bear what clients do to connections.

use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;

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
            copy(&mut from_server, &mut to_client).await
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

//! How a client of Postgres begins: what it may say first, and how it is turned away so that it reads why.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// As Postgres has it.
const LENGTH_MAX: usize = 10_000;

const PROTOCOL_3: u16 = 3;
const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// Reads until the client asks for a session, and gives that message. Encryption is declined: it stays on this machine.
///
/// # Errors
/// It leaves, or speaks something else than Postgres; or it asks for what is not here.
pub(super) async fn read(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let mut head = [0; 8];
        client.read_exact(&mut head).await?;
        let [a, b, c, d, code @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if !(head.len()..=LENGTH_MAX).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not speak Postgres"));
        }
        let mut message = head.to_vec();
        message.resize(length, 0);
        client.read_exact(&mut message[head.len()..]).await?;
        match (u32::from_be_bytes(code), u16::from_be_bytes([code[0], code[1]])) {
            (TLS | GSS, _) => client.write_all(b"N").await?,
            (CANCEL, _) => {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "a query cannot be cancelled here"));
            }
            (_, PROTOCOL_3) => return Ok(message),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not speak Postgres 3")),
        }
    }
}

/// Says why, with the code that drivers know for "too many connections".
pub(super) async fn turn_away(mut client: TcpStream, why: &str) {
    tracing::warn!("turned a client away: {why}");
    let fields = format!("SFATAL\0VFATAL\0C53300\0M{why}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap_or(u32::MAX);
    let answer = [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat();
    // It may have gone.
    client.write_all(&answer).await.ok();
    client.shutdown().await.ok();
}

//! What a start says of itself: how to open it, which token, whether an e-stop is latched.

use std::fmt;
use std::path::PathBuf;

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::Fingerprint;

/// What a start says of itself. Printed with `Display`.
#[derive(Clone, Debug)]
pub struct Banner {
    /// Id of the robot.
    pub robot: String,
    /// The body in words: `simulated body`.
    pub body: String,
    /// [`super::urls`], at least one.
    pub urls: Vec<String>,
    /// The owner's token.
    pub token: TokenShown,
    /// SHA-256 of the certificate, with TLS.
    pub fingerprint: Option<Fingerprint>,
    /// Print a QR code of the first URL: stdout is a terminal and a phone can reach it.
    pub with_qr: bool,
    /// An e-stop that is latched.
    pub latched: Option<LatchNotice>,
}

/// The owner's token as it may be shown.
#[derive(Clone)]
pub enum TokenShown {
    /// Within the URL: stdout is a terminal, or `--print-url` asks for it.
    InUrl(String),
    /// Only where it lies: stdout may be a log that others read.
    OnlyPath(PathBuf),
}

/// Never prints the secret.
impl fmt::Debug for TokenShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUrl(_) => f.write_str("InUrl(..)"),
            Self::OnlyPath(path) => f.debug_tuple("OnlyPath").field(path).finish(),
        }
    }
}

/// An e-stop found at start.
#[derive(Clone, Debug)]
pub struct LatchNotice {
    /// Its epoch.
    pub epoch: u32,
    /// Why, in the words of whoever pressed it; empty when unknown.
    pub reason: String,
}

impl Banner {
    fn link(&self, url: &str) -> String {
        match &self.token {
            TokenShown::InUrl(token) => format!("{url}/?token={token}"),
            TokenShown::OnlyPath(_) => format!("{url}/"),
        }
    }
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Robbie is ready: robot {}, {}.", self.robot, self.body)?;
        for (index, url) in self.urls.iter().enumerate() {
            let word = if index == 0 { "Open" } else { "or" };
            writeln!(f, "  {word:<12} {}", self.link(url))?;
        }
        if let TokenShown::OnlyPath(path) = &self.token {
            writeln!(f, "  {:<12} in {}; open the page with /?token=TOKEN", "Token", path.display())?;
        }
        if let Some(fingerprint) = &self.fingerprint {
            writeln!(f, "  {:<12} SHA-256 {fingerprint}", "Certificate")?;
            writeln!(
                f,
                "  {:<12} nobody signed it, so browsers warn once: compare the fingerprint, then go on",
                ""
            )?;
        }
        writeln!(f, "  {:<12} robbie-agent drive, or robbie-agent --help", "Terminal")?;
        if let (true, Some(code)) = (self.with_qr, self.urls.first().and_then(|url| qr(&self.link(url)))) {
            writeln!(f, "\n{code}")?;
        }
        if let Some(latched) = &self.latched {
            let reason = if latched.reason.is_empty() { "reason unknown" } else { &latched.reason };
            writeln!(
                f,
                "\n  E-STOP IS LATCHED (epoch {}: {reason}). Nothing moves until you are sure that it is safe,",
                latched.epoch
            )?;
            writeln!(
                f,
                "  then run `robbie-agent reset`, and take control (t in `robbie-agent drive`, or on the page)."
            )?;
        }
        Ok(())
    }
}

/// A QR code for a terminal, two modules a character. `None`: too long for one.
///
/// Drawn with light modules as ink, since most terminals are dark; scanners read both as long as the margin is there.
pub fn qr(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, qrcode::EcLevel::L).ok()?;
    Some(
        code.render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .quiet_zone(true)
            .build(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner(token: TokenShown) -> Banner {
        Banner {
            robot: "robbie".into(),
            body: "simulated body".into(),
            urls: vec!["https://192.168.1.7:8700".into(), "https://127.0.0.1:8700".into()],
            token,
            fingerprint: None,
            with_qr: false,
            latched: None,
        }
    }

    #[test]
    fn token_is_in_the_url_or_only_its_path_is_said() {
        // A log must not carry the owner's token.
        let shown = banner(TokenShown::InUrl("secret".into())).to_string();
        assert!(shown.contains("https://192.168.1.7:8700/?token=secret"), "{shown}");
        let hidden = banner(TokenShown::OnlyPath("/d/owner-token".into())).to_string();
        assert!(
            hidden.contains("https://192.168.1.7:8700/\n") && hidden.contains("/d/owner-token"),
            "{hidden}"
        );
        assert!(!format!("{:?}", TokenShown::InUrl("secret".into())).contains("secret"));
    }

    #[test]
    fn latched_estop_is_said_with_the_way_out() {
        let mut latched = banner(TokenShown::InUrl("t".into()));
        assert!(!latched.to_string().contains("E-STOP"));
        latched.latched = Some(LatchNotice { epoch: 4, reason: "cat on the stairs".into() });
        let text = latched.to_string();
        assert!(text.contains("E-STOP IS LATCHED") && text.contains("cat on the stairs"), "{text}");
        assert!(text.contains("robbie-agent reset"), "{text}");
    }

    #[test]
    fn qr_code_is_square_with_its_quiet_zone() {
        // Two rows of modules a line; the margin of four modules is what scanners need.
        let code = qr("https://192.168.1.7:8700/?token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef").unwrap();
        let lines: Vec<&str> = code.lines().collect();
        let width = lines[0].chars().count();
        assert_eq!(lines.len(), width.div_ceil(2));
        assert!(lines[0].chars().all(|symbol| symbol == '█') && lines[1].chars().all(|symbol| symbol == '█'));
        let (_, full_lines) = lines.split_last().unwrap();
        assert!(full_lines.iter().all(|line| line.starts_with("████")));
    }
}

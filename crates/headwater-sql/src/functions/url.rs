//! URLs as `java.net.URL` takes them apart; nothing is decoded.

/// The parts of a URL.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Url<'a> {
    protocol: String,
    authority: Option<&'a str>,
    user: Option<&'a str>,
    host: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// None for what is no URL of a protocol that Java knows.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        const PROTOCOLS: &[&str] = &["http", "https", "ftp", "file", "mailto", "jar"];
        let text = text.trim_matches(|c| c <= ' ');
        let text = text
            .get(..4)
            .filter(|p| p.eq_ignore_ascii_case("url:"))
            .map_or(text, |_| text.get(4..).unwrap_or(""));
        let (protocol, rest) = text.split_once(':')?;
        let protocol = protocol.to_ascii_lowercase();
        if !PROTOCOLS.contains(&protocol.as_str()) {
            return None;
        }
        let mut url = Self { protocol, ..Self::default() };
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        url.fragment = fragment;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        url.query = query;
        let Some(rest) = rest.strip_prefix("//") else {
            url.path = rest;
            return Some(url);
        };
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        url.path = path;
        url.authority = (!authority.is_empty()).then_some(authority);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        url.user = user;
        let (host, port) = match place.strip_prefix('[') {
            Some(inside) => {
                let end = inside.find(']')? + 2;
                (place.get(..end)?, place.get(end..)?.strip_prefix(':'))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        if let Some(port) = port
            && !port.is_empty()
            && !port.parse::<i32>().is_ok_and(|port| port >= -1)
        {
            return None;
        }
        url.host = host;
        Some(url)
    }

    /// A part by its name, which is in capital letters.
    pub(super) fn part(&self, name: &str) -> Option<String> {
        match name {
            "HOST" => Some(self.host.to_owned()),
            "PATH" => Some(self.path.to_owned()),
            "QUERY" => self.query.map(ToOwned::to_owned),
            "REF" => self.fragment.map(ToOwned::to_owned),
            "PROTOCOL" => Some(self.protocol.clone()),
            "FILE" => Some(match self.query {
                Some(query) => format!("{}?{query}", self.path),
                None => self.path.to_owned(),
            }),
            "AUTHORITY" => self.authority.map(ToOwned::to_owned),
            "USERINFO" => self.user.map(ToOwned::to_owned),
            _ => None,
        }
    }

    /// The value of a parameter of the query.
    pub(super) fn parameter(&self, key: &str) -> Option<String> {
        let pairs = self.query?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_java() {
        let url = Url::parse("HTTP://u:p@[::1]:80/a/b?k1=v1&k2=%20#r").unwrap();
        for (name, part) in [
            ("PROTOCOL", Some("http")),
            ("HOST", Some("[::1]")),
            ("AUTHORITY", Some("u:p@[::1]:80")),
            ("USERINFO", Some("u:p")),
            ("PATH", Some("/a/b")),
            ("FILE", Some("/a/b?k1=v1&k2=%20")),
            ("REF", Some("r")),
            ("host", None),
        ] {
            assert_eq!(url.part(name).as_deref(), part, "{name}");
        }
        assert_eq!(url.parameter("k2").as_deref(), Some("%20"));
        for bad in ["", "not a url", "foo://x", "http://h:99999999999/x", "http://[::1"] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }
}

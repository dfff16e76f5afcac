//! Cookies of a request, as listed in the `Cookie` header.

/// Returns name and value of each cookie in `header`, in order.
pub fn cookies(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = header.split(';');
    pairs.filter_map(|pair| pair.trim().split_once('='))
}

/// Returns the value of the first cookie called `name`.
#[must_use]
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut cookies = cookies(header);
    cookies.find(|(key, _)| *key == name).map(|(_, it)| it)
}

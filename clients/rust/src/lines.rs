//! Lines of bytes. A line ends at 0x0A and nowhere else.

/// What the buffer may keep of its size when it is empty.
const KEPT_BYTES: usize = 1 << 20;

/// A line is longer than may be.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct TooLong;

/// Cuts what is read into lines, in place.
#[derive(Debug)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// How far the next line was searched for its end.
    searched: usize,
    max: usize,
}

impl Lines {
    pub(crate) fn new(max: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, searched: 0, max }
    }

    /// The buffer, to read more into its end.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(KEPT_BYTES);
        }
        &mut self.buffer
    }

    /// The next whole line, without its end and a CR before it.
    pub(crate) fn next(&mut self) -> Option<Result<&[u8], TooLong>> {
        let Some(offset) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            let pending = self.buffer[self.start..].strip_suffix(b"\r").unwrap_or(&self.buffer[self.start..]);
            return (pending.len() > self.max).then_some(Err(TooLong));
        };
        let (start, end) = (self.start, self.searched + offset);
        (self.start, self.searched) = (end + 1, end + 1);
        let line = self.buffer[start..end].strip_suffix(b"\r").unwrap_or(&self.buffer[start..end]);
        Some(if line.len() > self.max { Err(TooLong) } else { Ok(line) })
    }
}

/// Cuts what is read into lines, and leaves out what goes beyond the longest.
#[derive(Debug)]
pub(crate) struct CutLines {
    line: Vec<u8>,
    max: usize,
}

impl CutLines {
    pub(crate) fn new(max: usize) -> Self {
        Self { line: Vec::new(), max }
    }

    /// Takes what was read, and passes each line that ends in it to `take`.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.line.extend_from_slice(&text[..text.len().min(self.max - self.line.len())]);
            if text.len() < piece.len() {
                self.end(&mut take);
            }
        }
    }

    /// Passes what came without a line end to `take`, if there is anything.
    pub(crate) fn finish(mut self, mut take: impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.end(&mut take);
        }
    }

    fn end(&mut self, take: &mut impl FnMut(&str)) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        take(&String::from_utf8_lossy(line));
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"a\":\"\u{2028}é𝄞\u{85}\"}\r\n\n\r\nlast\rone\nno end";
    const WANTED: [&str; 4] = ["{\"a\":\"\u{2028}é𝄞\u{85}\"}", "", "", "last\rone"];

    fn read(lines: &mut Lines, piece: &[u8]) -> Vec<Result<String, TooLong>> {
        lines.buffer().extend_from_slice(piece);
        let next = || lines.next().map(|line| line.map(|line| String::from_utf8(line.to_vec()).expect("UTF-8")));
        std::iter::from_fn(next).take(TEXT.len()).collect()
    }

    fn whole(lines: impl IntoIterator<Item = Result<String, TooLong>>) -> Vec<String> {
        lines.into_iter().map(|line| line.expect("it is not too long")).collect()
    }

    #[test]
    fn lines_are_the_same_wherever_reads_end() {
        for first in 0..=TEXT.len() {
            for second in first..=TEXT.len() {
                let mut lines = Lines::new(TEXT.len());
                let bytes = TEXT.as_bytes();
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                let found = whole(pieces.into_iter().flat_map(|piece| read(&mut lines, piece)));
                assert_eq!(found, WANTED, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn lines_are_the_same_byte_by_byte() {
        let mut lines = Lines::new(TEXT.len());
        assert_eq!(whole(TEXT.as_bytes().chunks(1).flat_map(|piece| read(&mut lines, piece))), WANTED);
    }

    #[test]
    fn a_line_of_the_longest_length_is_read() {
        let mut lines = Lines::new(4);
        assert_eq!(read(&mut lines, b"four"), []);
        assert_eq!(read(&mut lines, b"\r"), []);
        assert_eq!(whole(read(&mut lines, b"\nnext\n")), ["four", "next"]);
    }

    #[test]
    fn a_longer_line_is_refused_with_and_without_its_end() {
        assert_eq!(read(&mut Lines::new(4), b"fives\n"), [Err(TooLong)]);
        assert_eq!(read(&mut Lines::new(4), b"fives")[0], Err(TooLong));
    }

    #[test]
    fn a_large_buffer_is_given_back() {
        let mut lines = Lines::new(usize::MAX);
        let mut line = vec![b'x'; 4 * KEPT_BYTES];
        line.push(b'\n');
        assert_eq!(read(&mut lines, &line).len(), 1);
        assert!(lines.buffer().capacity() <= KEPT_BYTES);
    }

    fn cut(max: usize, pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut taken) = (CutLines::new(max), Vec::new());
        for piece in pieces {
            lines.feed(piece, |line| taken.push(line.to_owned()));
        }
        lines.finish(|line| taken.push(line.to_owned()));
        taken
    }

    #[test]
    fn lines_of_the_log_are_cut() {
        assert_eq!(cut(4, &[b"abc", b"defg", b"hi\r\n\nno", b" end"]), ["abcd", "", "no e"]);
    }

    #[test]
    fn what_is_not_utf_8_is_replaced_in_the_log() {
        assert_eq!(cut(9, &[b"a\xffb\r\n"]), ["a\u{fffd}b"]);
    }
}

// Package strict reads the framing of HTTP/1 messages to the letter (RFC 9112):
// heads, and chunked bodies. What two readers could take in two ways is refused
// with a denial that says why.
//
// Every byte of HTTP/1 that comes in passes here, whichever lane serves it: the
// reader in front of net/http and the lane of our own (listen/h1) share this one
// parser. It waits for nothing and keeps no buffer but, where that is
// asked for, a trailer section.
package strict

// Package load calls a gateway and takes the time of every call. It speaks just
// enough HTTP/1.1 to cost little beside the gateway it shares cores with.
package load

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"time"
)

// An Answer is what of an answer is looked at.
type Answer struct {
	Status   int
	Revision string // of the field that was asked for, "" if none
}

// A Conn is one connection that is kept.
type Conn struct {
	net.Conn
	in  *bufio.Reader
	out []byte
}

// Dial connects.
func Dial(addr string) (*Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: c, in: bufio.NewReaderSize(c, 4096)}, nil
}

// Get makes one request with a key ("" for none), within five seconds, and
// reads the field of the answer.
func (c *Conn) Get(path, key, field string) (a Answer, err error) {
	c.out = fmt.Appendf(c.out[:0], "GET %s HTTP/1.1\r\nHost: bench\r\n", path)
	if key != "" {
		c.out = fmt.Appendf(c.out, "X-API-Key: %s\r\n", key)
	}
	c.out = append(c.out, '\r', '\n')
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return a, err
	}
	if _, err := c.Write(c.out); err != nil {
		return a, err
	}
	return c.read(field)
}

func (c *Conn) read(field string) (a Answer, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return a, err
	}
	if len(line) < 12 {
		return a, fmt.Errorf("the answer begins with %q", line)
	}
	if a.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, err
	}
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return a, err
		}
		name, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		if !ok {
			break
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return a, err
			}
		case field != "" && bytes.EqualFold(name, []byte(field)):
			a.Revision = string(value)
		}
	}
	if length < 0 {
		return a, fmt.Errorf("an answer of status %d has no length", a.Status)
	}
	_, err = c.in.Discard(length)
	return a, err
}

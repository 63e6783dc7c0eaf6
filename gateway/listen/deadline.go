package listen

import "time"

var errSlow error = slow{}

type slow struct{}

func (slow) Error() string   { return "the body comes too slowly" }
func (slow) Timeout() bool   { return true }
func (slow) Temporary() bool { return false }

// SetReadDeadline implements net.Conn. What net/http asks for comes before the
// bounds set here.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	c.given = t
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.Conn.SetWriteDeadline(t)
}

// limit bounds the next read, unless net/http asked for less.
func (c *conn) limit(d time.Duration) {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	if t := time.Now().Add(max(d, time.Millisecond)); c.given.IsZero() || t.Before(c.given) {
		c.Conn.SetReadDeadline(t)
	}
}

func (c *conn) unlimit() {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	c.Conn.SetReadDeadline(c.given)
}

// writeSlack is how far a write deadline may lag behind, to save setting it for
// each of many writes.
const writeSlack = 5 * time.Second

// Write implements net.Conn. A caller that takes nothing for WriteTimeout is cut.
func (c *conn) Write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(c.wrote) > writeSlack {
		c.wrote = now
		c.Conn.SetWriteDeadline(now.Add(c.server.o.WriteTimeout + writeSlack))
	}
	return c.Conn.Write(p)
}

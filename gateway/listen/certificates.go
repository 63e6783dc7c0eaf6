package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// A Pair names the files of a certificate chain and its key, in PEM.
type Pair struct{ Cert, Key string }

// Certificates are what callers are shown. They are read again when a file
// changes; while the new ones cannot be read the old ones stay.
type Certificates struct {
	pairs []Pair
	log   func(format string, args ...any)
	held  atomic.Pointer[[]tls.Certificate]
	stamp string // of the files that held was read from
}

// LoadCertificates reads the pairs, at least one. The first is shown to callers
// who name no host that any certificate has.
func LoadCertificates(pairs []Pair, log func(format string, args ...any)) (*Certificates, error) {
	if len(pairs) == 0 {
		return nil, errors.New("no certificate is given")
	}
	c := &Certificates{pairs: pairs, log: log}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload reads the files now.
func (c *Certificates) Reload() error {
	stamp := c.stampNow()
	var all []tls.Certificate
	for _, p := range c.pairs {
		cert, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			return fmt.Errorf("reading certificate %q with key %q: %w", p.Cert, p.Key, err)
		}
		all = append(all, cert)
	}
	c.held.Store(&all)
	c.stamp = stamp
	return nil
}

// Watch reads the files again when they change, looking at them every interval
// until ctx ends. It is called once.
func (c *Certificates) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if c.stampNow() == c.stamp {
			continue
		}
		if err := c.Reload(); err != nil {
			c.log("%v; the certificates read before stay in use", err)
		}
	}
}

func (c *Certificates) stampNow() (s string) {
	for _, p := range c.pairs {
		for _, name := range []string{p.Cert, p.Key} {
			if i, err := os.Stat(name); err == nil {
				s += fmt.Sprint(i.ModTime().UnixNano(), i.Size(), ";")
			}
		}
	}
	return s
}

// Get is for tls.Config.GetCertificate.
func (c *Certificates) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	all := *c.held.Load()
	for i := range all {
		if hello.SupportsCertificate(&all[i]) == nil {
			return &all[i], nil
		}
	}
	return &all[0], nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/control/access"
)

// fresh tells whether nobody has the administrator's token yet: whoever makes
// this start is shown the way in.
func (s *serving) fresh() bool {
	_, err := os.Stat(filepath.Join(s.data, "admin.token"))
	return errors.Is(err, fs.ErrNotExist)
}

// link prints, on the first start, a link that opens the console once.
func (p *process) link(ctx context.Context, out io.Writer, address, data string) error {
	code, t, err := p.ctl.Guard.CreateLoginCode(ctx, "user:"+access.AdminUser)
	if gatehouse.Is(err, gatehouse.Invalid) {
		return nil // the administrator was removed: other people run this now
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Console, once, until %s UTC: %s/console/?code=%s\nAnother link: gatehouse console --data %s\n",
		t.Expires.UTC().Format("15:04"), address, url.QueryEscape(code), data)
	return err
}

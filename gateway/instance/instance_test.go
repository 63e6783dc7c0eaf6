package instance

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/filelock"
	"gatehouse/link"
)

// A token lets one instance join, once. What keeps the gateway from serving is told
// before it is used.
func TestFailsBeforeTheTokenIsUsed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	held := t.TempDir()
	holder, err := filelock.Take(filepath.Join(held, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	tests := []struct {
		name string
		with Options
		want string
	}{
		{"data that another process has", Options{Data: held}, "in use by another process"},
		{"port in use", Options{TrafficAddr: taken.Addr().String()}, "is in use by another program; stop it, or name another address with --traffic-addr"},
		{"no such certificate", Options{Cert: "none.pem", Key: "none.pem"}, "none.pem"},
		{"certificate without its key", Options{Cert: "none.pem"}, "--traffic-cert and --traffic-key go together"},
		{"no such place for the log", Options{AccessLog: filepath.Join(file, "log")}, "access log"},
		{"data is no directory", Options{Data: file}, file},
		{"configuration is no directory", Options{Data: blocked(t, "snapshot")}, "snapshot"},
		{"counts are no directory", Options{Data: blocked(t, "spool")}, "spool"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.with
			if o.Data == "" {
				o.Data = t.TempDir()
			}
			if o.TrafficAddr == "" {
				o.TrafficAddr = "127.0.0.1:0"
			}
			o.Control, o.Name, o.Token = "https://127.0.0.1:1", "one", link.NewToken([]byte("authority")).String()
			o.Log = slog.New(slog.DiscardHandler)
			asked := false
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				asked = true
				return nil, errors.New("nobody there")
			}
			_, err := Open(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if asked {
				t.Error("the control plane was asked first")
			}
		})
	}
}

// blocked is a data directory in which a file stands where a folder is to be.
func blocked(t *testing.T, name string) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

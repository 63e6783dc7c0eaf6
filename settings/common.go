package settings

import (
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/spf13/cobra"
)

// Common are the settings that every server role has: where operators ask, and
// what the log looks like.
type Common struct {
	OpsAddr, LogLevel, LogFormat string
}

// Bind adds the flags.
func (o *Common) Bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.OpsAddr, "ops-addr", "127.0.0.1:9081", "health, metrics and profiles")
	f.StringVar(&o.LogLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.LogFormat, "log-format", "text", "text or json")
}

// Listen listens for operators.
func (o *Common) Listen() (net.Listener, error) {
	return Listen("operators", "--ops-addr", o.OpsAddr)
}

// Logger is the log as it was asked for.
func (o *Common) Logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.LogLevel)); err != nil {
		return nil, fmt.Errorf("--log-level: %q is not debug, info, warn or error", o.LogLevel)
	}
	h := &slog.HandlerOptions{Level: level}
	switch o.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, h)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, h)), nil
	}
	return nil, fmt.Errorf("--log-format: %q is neither text nor json", o.LogFormat)
}

package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestWhereASettingComesFrom(t *testing.T) {
	tests := []struct {
		name, file, env string
		args            []string
		want            string // the value, or "error: " and a part of it
	}{
		{name: "default", want: ":8080"},
		{name: "file over default", file: `traffic-addr: ":1"`, want: ":1"},
		{name: "environment over file", file: `traffic-addr: ":1"`, env: ":2", want: ":2"},
		{name: "flag over environment", file: `traffic-addr: ":1"`, env: ":2", args: []string{"--traffic-addr", ":3"}, want: ":3"},
		{name: "unknown key", file: `trafic-addr: ":1"`, want: `error: "trafic-addr" is not a setting of this command`},
		{name: "nested key", file: `traffic-addr: {a: b}`, want: "error: neither a value nor a list"},
		{name: "bad YAML", file: "a: [", want: "error: "},
		{name: "no such file", args: []string{"--config", "/nonexistent/x.yaml"}, want: "error: no such file"},
		{name: "wrong type in the environment", env: "nonsense", args: []string{"--limit", "1"}, want: "nonsense"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if tt.file != "" {
				file := filepath.Join(t.TempDir(), "gatehouse.yaml")
				if err := os.WriteFile(file, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append([]string{"--config", file}, args...)
			}
			var got string
			c := &cobra.Command{Use: "x", SilenceErrors: true, SilenceUsage: true, RunE: func(*cobra.Command, []string) error { return nil }}
			c.Flags().StringVar(&got, "traffic-addr", ":8080", "")
			c.Flags().Int("limit", 0, "")
			Bind(c, func(name string) string {
				if name == "GATEHOUSE_TRAFFIC_ADDR" {
					return tt.env
				}
				return ""
			})
			c.SetArgs(args)
			if err := c.Execute(); err != nil {
				got = "error: " + err.Error()
			}
			if part, ok := strings.CutPrefix(tt.want, "error: "); ok {
				if !strings.HasPrefix(got, "error: ") || !strings.Contains(got, part) {
					t.Errorf("got %q, want an error with %q", got, part)
				}
			} else if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

package cli

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
)

func (a *App) onboardKit() *cobra.Command {
	var dir, file string
	var backends []string
	c := &cobra.Command{
		Use: "kit TEAM -o DIR", Args: exactly(1, "one team"), Short: "Write a team's first repository",
		Long: `Write a repository that is ready to use: a sample API with its backend and product, CI
recipes for GitHub Actions, GitLab CI, Azure DevOps and Jenkins, and a README written for
the team. The service account of the pipeline is made when there is none; its token is made
with "gatehouse token create" and stored as a secret of the CI system, never in a file.`,
		Example: "  gatehouse onboard kit shop -o shop --backend dev=http://127.0.0.1:8081\n  gatehouse onboard kit shop --zip shop.zip",
		RunE: func(c *cobra.Command, args []string) error {
			if (dir == "") == (file == "") {
				return misuse("onboard kit needs one of -o DIR and --zip FILE")
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			in := adminapi.KitRequest{TeamRef: adminapi.TeamRef{Team: args[0]}}
			in.Body.Address = strings.TrimSuffix(api.Address(), "/")
			if in.Body.Backends, err = pairs(backends); err != nil {
				return err
			}
			out, err := api.MakeKit(c.Context(), in)
			if err != nil {
				return err
			}
			if dir != "" {
				err = writeKit(dir, out.Body.Files)
			} else {
				err = zipKit(file, out.Body.Files)
			}
			if err != nil {
				return err
			}
			if out.Body.Made {
				a.note("made service account %s for the pipeline", out.Body.ServiceAccount)
			}
			a.note("wrote %d files; README.md says what to do next. The pipeline's token, to be stored as a secret of the CI system:", len(out.Body.Files))
			a.note("gatehouse token create --subject service:%s --name pipeline", out.Body.ServiceAccount)
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&dir, "output", "o", "", "folder to write to")
	f.StringVar(&file, "zip", "", "archive to write instead")
	f.StringArrayVar(&backends, "backend", nil, "ENV=URL: where requests to the sample API go; may be repeated")
	return c
}

// pairs reads KEY=VALUE.
func pairs(list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range list {
		key, value, ok := strings.Cut(p, "=")
		if !ok || key == "" || value == "" {
			return nil, misuse("--backend %q is not ENV=URL", p)
		}
		if _, twice := out[key]; twice {
			return nil, misuse("--backend names environment %q twice", key)
		}
		out[key] = value
	}
	return out, nil
}

// writeKit writes files below dir. It replaces nothing that says something else.
func writeKit(dir string, files map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // what a server names stays inside
	if err != nil {
		return err
	}
	defer root.Close()
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		have, err := root.ReadFile(filepath.FromSlash(name))
		if err == nil && string(have) != files[name] {
			return gatehouse.E(gatehouse.Conflict, "writing %q: it is there already and says something else; choose another folder", filepath.Join(dir, name))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, name := range names {
		local := filepath.FromSlash(name)
		if err := root.MkdirAll(filepath.Dir(local), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(local, []byte(files[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func zipKit(file string, files map[string]string) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return fmt.Errorf("writing %q: %q leads out of it", file, name)
		}
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(files[name]))
		}
		if err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Close())
}

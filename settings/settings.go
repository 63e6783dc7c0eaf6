// Package settings fills a command's flags from where else they may be said:
// flag, then environment, then configuration file, then default.
//
// Each flag --traffic-addr is also GATEHOUSE_TRAFFIC_ADDR and, in the file, the
// key traffic-addr. The package knows no flag by name but --config.
package settings

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Bind adds --config to c and fills the flags before it runs.
func Bind(c *cobra.Command, getenv func(string) string) {
	c.Flags().String("config", "", "YAML file of settings, a flag's name each: traffic-addr: \":8080\"")
	c.PreRunE = func(c *cobra.Command, _ []string) error { return fill(c.Flags(), getenv) }
}

// Env is the environment variable of a flag.
func Env(flag string) string {
	return "GATEHOUSE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func fill(flags *pflag.FlagSet, getenv func(string) string) error {
	set := func(f *pflag.Flag, value, from string) error {
		if f.Changed {
			return nil
		}
		if err := flags.Set(f.Name, value); err != nil {
			return fmt.Errorf("%s: %q: %w", from, value, err)
		}
		return nil
	}
	var first error
	flags.VisitAll(func(f *pflag.Flag) {
		if v := getenv(Env(f.Name)); v != "" && first == nil {
			first = set(f, v, Env(f.Name))
		}
	})
	if first != nil {
		return first
	}
	file, err := flags.GetString("config")
	if err != nil || file == "" {
		return err
	}
	values, err := read(file)
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	for name, value := range values {
		f := flags.Lookup(name)
		if f == nil || name == "config" {
			return fmt.Errorf("reading settings: %s: %q is not a setting of this command; \"--help\" lists them", file, name)
		}
		for _, v := range value {
			if err := set(f, v, file+": "+name); err != nil {
				return err
			}
		}
		f.Changed = true
	}
	return nil
}

// read returns the file's keys with their values, lists flattened.
func read(file string) (map[string][]string, error) {
	if info, err := os.Stat(file); err != nil {
		return nil, err
	} else if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes; at most %d will do", file, info.Size(), maxFile)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	values := map[string][]string{}
	for name, v := range tree {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				values[name] = append(values[name], fmt.Sprint(e))
			}
		case map[string]any, nil:
			return nil, fmt.Errorf("%s: %s is neither a value nor a list of values", file, name)
		default:
			values[name] = []string{fmt.Sprint(v)}
		}
	}
	return values, nil
}

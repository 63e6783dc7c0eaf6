package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v4"
)

// recipes DIR: write the shell lines of each CI recipe of a team's repository
// to ci-NAME.sh, with the address that the recipe gives them.
func recipes(ts *testscript.TestScript, _ bool, args []string) {
	for name, r := range map[string]struct{ file, key string }{
		"github": {".github/workflows/gatehouse.yml", "run"}, "gitlab": {".gitlab-ci.yml", "script"}, "azure": {"azure-pipelines.yml", "script"},
	} {
		text := ts.ReadFile(args[0] + "/" + r.file)
		var tree yaml.Node
		if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
			ts.Fatalf("%s is not YAML: %v", r.file, err)
		}
		shell(ts, name, texts(&tree, "GATEHOUSE_ADDR"), texts(&tree, r.key))
	}
	text := ts.ReadFile(args[0] + "/Jenkinsfile")
	shell(ts, "jenkins", found(text, `GATEHOUSE_ADDR = '([^']*)'`), found(text, `(?m)^ +sh '([^']*)'$`))
}

func shell(ts *testscript.TestScript, name string, address, lines []string) {
	if len(address) != 1 || len(lines) == 0 {
		ts.Fatalf("the recipe for %s has %d addresses and %d lines", name, len(address), len(lines))
	}
	script := fmt.Sprintf("set -ex\nexport GATEHOUSE_ADDR='%s'\n%s\n", address[0], strings.Join(lines, "\n"))
	ts.Check(os.WriteFile(ts.MkAbs("ci-"+name+".sh"), []byte(script), 0o600))
}

// texts are those below a key, wherever it stands, in order.
func texts(n *yaml.Node, key string) (all []string) {
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 0 || n.Content[i-1].Value != key {
			all = append(all, texts(c, key)...)
			continue
		}
		if c.Kind == yaml.ScalarNode {
			all = append(all, c.Value)
		}
		for _, l := range c.Content {
			all = append(all, l.Value)
		}
	}
	return all
}

func found(text, pattern string) (all []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

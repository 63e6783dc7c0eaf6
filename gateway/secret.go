package gateway

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecret bounds the file that holds a secret.
const maxSecret = 64 << 10

// Secret resolves a reference: "${env:NAME}" from the environment, "${file:path}"
// from a file without the newline at its end. Text that is no reference is
// returned as it is. Errors name the reference and never a value.
//
// Variables of the program itself, GATEHOUSE_…, are not given out: files of teams
// may name references, and what runs the gateway is not theirs to read. The
// exception is GATEHOUSE_SECRET_…
func Secret(ref string) (string, error) {
	inner, ok := strings.CutPrefix(ref, "${")
	if inner, ok = strings.CutSuffix(inner, "}"); !ok || !strings.HasPrefix(ref, "${") {
		return ref, nil
	}
	scheme, name, _ := strings.Cut(inner, ":")
	switch scheme {
	case "env":
		if strings.HasPrefix(name, "GATEHOUSE_") && !strings.HasPrefix(name, "GATEHOUSE_SECRET_") {
			return "", fmt.Errorf("secret %q: variables of the gateway itself are not given out; use another name", ref)
		}
		v, ok := os.LookupEnv(name)
		if !ok || v == "" {
			return "", fmt.Errorf("secret %q: the variable is not set where this gateway runs", ref)
		}
		return v, nil
	case "file":
		return fromFile(ref, name)
	case "vault":
		return "", fmt.Errorf("secret %q: no vault is configured at this gateway", ref)
	}
	return "", fmt.Errorf(`secret %q: is not "${env:NAME}" or "${file:path}"`, ref)
}

func fromFile(ref, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("secret %q: %w", ref, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("secret %q: %w", ref, err)
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("secret %q: the file has more than %d bytes", ref, maxSecret)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

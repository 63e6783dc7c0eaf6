// Command gatehouse-gateway is the traffic wing alone, small enough to sit at
// the edge.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"gatehouse/gateway/instance"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := instance.Command("gatehouse-gateway", version, os.Getenv)
	c.Version, c.SilenceErrors, c.SilenceUsage = version, true, true
	if err := c.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse-gateway:", err)
		os.Exit(1)
	}
}

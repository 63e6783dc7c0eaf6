// Command gatehouse is everything: all server roles and the command line.
package main

import (
	"os"

	"gatehouse/cli"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(cli.Main(version, os.Args[1:], serveCommand, controlCommand, gatewayCommand))
}

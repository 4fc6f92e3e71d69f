// Command generate writes Go from the contract: see package generate.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/orgkeys/orgkeys-go/internal/generate"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	config := flag.String("config", "", "the `file` with oapi-codegen's configuration")
	output := flag.String("o", "", "the `file` to write, if not the one in the configuration")
	flag.Parse()
	if flag.NArg() != 1 || *config == "" {
		log.Fatal("usage: generate -config file [-o file] contract")
	}
	if err := run(*config, *output, flag.Arg(0)); err != nil {
		log.Fatal(err)
	}
}

func run(config, output, contract string) error {
	options, err := generate.ReadOptions(config, ".")
	if err != nil {
		return err
	}
	if output == "" {
		output = options.Output
	}
	document, err := generate.Load(contract)
	if err != nil {
		return err
	}
	code, err := generate.Code(document, options)
	if err != nil {
		if code != "" {
			_ = os.WriteFile(output, []byte(code), 0o666)
		}
		return fmt.Errorf("%s:\n%w", contract, err)
	}
	return os.WriteFile(output, []byte(code), 0o666)
}

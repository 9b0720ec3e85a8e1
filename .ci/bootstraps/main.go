// Bootstraps checks what `sam build` made.
//
//	bootstraps TRANSLATED.json BUILD
//
// Every function of the translated template must have a folder of its name in BUILD with one executable file in it: a static
// arm64 binary for Linux named bootstrap. It reports what is not so, a line each.
package main

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bootstraps TRANSLATED.json BUILD")
		os.Exit(2)
	}
	functions, err := functionsIn(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	failed := false
	for _, id := range functions {
		if err := check(filepath.Join(os.Args[2], id)); err != nil {
			fmt.Printf("%s: %v\n", id, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func functionsIn(translated string) ([]string, error) {
	data, err := os.ReadFile(translated)
	if err != nil {
		return nil, fmt.Errorf("read the translated template: %w", err)
	}
	var template struct {
		Resources map[string]struct{ Type string }
	}
	if err := json.Unmarshal(data, &template); err != nil {
		return nil, fmt.Errorf("read %s: %w", translated, err)
	}
	var functions []string
	for id, r := range template.Resources {
		if r.Type == "AWS::Lambda::Function" {
			functions = append(functions, id)
		}
	}
	if len(functions) == 0 {
		return nil, fmt.Errorf("%s has no function", translated)
	}
	return functions, nil
}

func check(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) != 1 || entries[0].Name() != "bootstrap" {
		return fmt.Errorf("holds %v, not bootstrap alone", entries)
	}
	path := filepath.Join(dir, "bootstrap")
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode()&0o111 != 0o111 {
		return fmt.Errorf("%s is not executable for all (%v)", path, info.Mode())
	}
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer file.Close()
	if file.Machine != elf.EM_AARCH64 {
		return fmt.Errorf("%s is for %v, not arm64", path, file.Machine)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs a dynamic linker: build it with CGO_ENABLED=0", path)
		}
	}
	return nil
}

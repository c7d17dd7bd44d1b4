// Command gitleaks-oracle runs gitleaks' own detection, each file as one
// fragment, over the files whose paths come in on standard input, and writes a
// JSON line for each finding, then one with the time that detection took.
// It is a module of its own so that the product does not depend on gitleaks'
// detection and its libraries.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/viper"
	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect"
)

type finding struct {
	Rule   string
	File   string
	Line   int
	Secret string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	rules := config.DefaultConfig
	if len(os.Args) > 2 {
		b, err := os.ReadFile(os.Args[2])
		if err != nil {
			return err
		}
		rules = string(b)
	}
	viper.SetConfigType("toml")
	if err := viper.ReadConfig(strings.NewReader(rules)); err != nil {
		return err
	}
	var vc config.ViperConfig
	if err := viper.Unmarshal(&vc); err != nil {
		return err
	}
	cfg, err := vc.Translate()
	if err != nil {
		return err
	}
	d := detect.NewDetector(cfg)
	root := os.Args[1]
	enc := json.NewEncoder(os.Stdout)
	var spent time.Duration
	var size int64
	paths := bufio.NewScanner(os.Stdin)
	for paths.Scan() {
		path := paths.Text()
		b, err := os.ReadFile(root + path)
		if err != nil {
			continue
		}
		start := time.Now()
		found := d.Detect(detect.Fragment{Raw: string(b), FilePath: path, StartLine: 1})
		spent += time.Since(start)
		size += int64(len(b))
		for _, f := range found {
			if err := enc.Encode(finding{f.RuleID, path, f.StartLine, f.Secret}); err != nil {
				return err
			}
		}
	}
	if err := paths.Err(); err != nil {
		return err
	}
	return enc.Encode(map[string]float64{"seconds": spent.Seconds(), "bytes": float64(size)})
}

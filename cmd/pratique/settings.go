package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/pratique/pratique"
)

// maxSettings bounds a settings file, in bytes.
const maxSettings = 1 << 20

// configured runs a command whose flags have been filled in by [applySettings]; file
// is its flag --config.
func configured(file *string, run func(ctx context.Context, stdout, stderr io.Writer) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		if err := applySettings(cmd.Flags(), cmp.Or(*file, os.Getenv("PRATIQUE_CONFIG")), os.LookupEnv); err != nil {
			return err
		}
		return run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
}

// applySettings fills in the flags that were not given: from the environment
// (PRATIQUE_TLS_CERT for --tls-cert), else from the file, whose keys are the flags'
// names. So every setting has one name, one type and one description, and what is
// said closer to the command wins.
func applySettings(flags *pflag.FlagSet, path string, lookup func(string) (string, bool)) error {
	fromFile, err := readSettings(path)
	if err != nil {
		return err
	}
	for name := range fromFile {
		if f := flags.Lookup(name); f == nil || name == "config" || name == "help" {
			return pratique.Errorf(pratique.CodeInvalid, "%s: there is no setting %.40q", path, name).WithRemedy("the settings are the flags of pratique serve, without the dashes before them")
		}
	}
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == "config" || failed != nil {
			return
		}
		variable := "PRATIQUE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := lookup(variable); ok {
			failed = setFlag(flags, f.Name, value, variable)
		} else if value, ok := fromFile[f.Name]; ok {
			failed = setFlag(flags, f.Name, value, path)
		}
	})
	return failed
}

// setFlag does not repeat the value, which may be a database's address with its
// password.
func setFlag(flags *pflag.FlagSet, name, value, where string) error {
	if err := flags.Set(name, value); err != nil {
		return pratique.Errorf(pratique.CodeInvalid, "%s: the value of %s does not fit", where, name).
			WithRemedy("it is: %s", flags.Lookup(name).Usage)
	}
	return nil
}

func readSettings(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeNotFound, "the settings cannot be read: %w", err).WithRemedy("check --config")
	}
	if info.Size() > maxSettings {
		return nil, pratique.Errorf(pratique.CodeLimit, "%s is larger than %d bytes", path, maxSettings).WithRemedy("check --config: this is no settings file")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeDisk, "the settings cannot be read: %w", err).WithRemedy("check who may read the file")
	}
	var tree map[string]any
	switch filepath.Ext(path) {
	case ".yaml", ".yml":
		err = yaml.Unmarshal(content, &tree)
	case ".toml":
		err = toml.Unmarshal(content, &tree)
	default:
		err = errors.New("its name ends neither in .yaml nor in .toml")
	}
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "%s is not a settings file: %w", path, err).WithRemedy("write lines such as  listen: 0.0.0.0:8080  (YAML) or  listen = \"0.0.0.0:8080\"  (TOML)")
	}
	settings := make(map[string]string, len(tree))
	for name, value := range tree {
		if settings[name], err = settingText(value); err != nil {
			return nil, pratique.Errorf(pratique.CodeInvalid, "%s: %.40s %w", path, name, err).WithRemedy("give a text, a number, true or false, or a list of texts")
		}
	}
	return settings, nil
}

func settingText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	case []any:
		var all []string
		for _, one := range v {
			text, ok := one.(string)
			if !ok || strings.Contains(text, ",") {
				return "", errors.New("holds something that is not a text")
			}
			all = append(all, text)
		}
		return strings.Join(slices.Compact(all), ","), nil
	}
	return "", errors.New("has no simple value")
}

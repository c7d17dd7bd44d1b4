package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
	"github.com/pratique/pratique/analyze/secrets"
	"github.com/pratique/pratique/analyze/software"
)

// analyzerFlags choose what looks into files. All commands that read layers
// share them and build the analyzers in one way: facts are kept by the
// analyzers' versions, so that what one command has read serves the others.
type analyzerFlags struct {
	secrets secretFlags
	malware malwareFlags
}

func (f *analyzerFlags) add(cmd *cobra.Command) {
	f.secrets.add(cmd)
	f.malware.add(cmd)
}

// analyzers returns the extensions that look into files, in the order of their
// facts. The one for secrets, which also looks into configs, is returned beside
// them; it is nil when secrets are not wanted.
func (f *analyzerFlags) analyzers(ctx context.Context) ([]analyze.Analyzer, *secrets.Analyzer, error) {
	programs, err := software.New()
	if err != nil {
		return nil, nil, err
	}
	all := []analyze.Analyzer{programs, files.Analyzer{}}
	rules, err := f.malware.analyzer(ctx)
	if err != nil {
		return nil, nil, err
	}
	if rules != nil {
		all = append(all, rules)
	}
	credentials, err := f.secrets.analyzer()
	if err != nil {
		return nil, nil, err
	}
	if credentials != nil {
		all = append(all, credentials)
	}
	return all, credentials, nil
}

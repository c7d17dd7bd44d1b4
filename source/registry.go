package source

import (
	"context"
	"io"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution"
)

// openRegistry finds the image of one platform in a registry. Layers are fetched
// when they are read.
func (o *Opened) openRegistry(ctx context.Context, name string, want pratique.Platform, opt Options) error {
	ref, err := distribution.ParseReference(name)
	if err != nil {
		return err
	}
	client, err := distribution.New(ref.Host, distribution.Options{
		Insecure: opt.Insecure, CAFile: opt.CAFile, UserAgent: opt.UserAgent, Credentials: opt.Credentials,
	})
	if err != nil {
		return err
	}
	o.close = append(o.close, func() error { client.Close(); return nil })
	if ref.Tag != "" {
		o.Image.Tags = []string{ref.Name() + ":" + ref.Tag}
	}
	return o.openManifest(ctx, client, ref.Repository, ref.Target(), want)
}

// openManifest finds the image of one platform that a tag or digest of a
// repository leads to.
func (o *Opened) openManifest(ctx context.Context, client *distribution.Client, repository, target string, want pratique.Platform) error {
	root, content, err := client.Manifest(ctx, repository, target)
	if err != nil {
		return err
	}
	fetch := func(ctx context.Context, d distribution.Descriptor) ([]byte, error) {
		_, b, err := client.Manifest(ctx, repository, string(d.Digest))
		return b, err
	}
	chosen, err := distribution.Select(ctx, fetch, root, content, want)
	if err != nil {
		return err
	}
	if err := refuseArtifact(chosen.Manifest); err != nil {
		return err
	}
	config, err := fetchConfig(ctx, client, repository, chosen.Manifest.Config)
	if err != nil {
		return err
	}
	o.Image.Digest, o.Image.IndexDigest = chosen.Descriptor.Digest, chosen.Index
	var layers []stored
	for _, d := range chosen.Manifest.Layers {
		layers = append(layers, stored{layer: layerOf(d), open: func(ctx context.Context) (io.ReadCloser, error) {
			return client.Blob(ctx, repository, d)
		}})
	}
	return o.describe(config, layers, want)
}

func fetchConfig(ctx context.Context, client *distribution.Client, repository string, d distribution.Descriptor) ([]byte, error) {
	if d.Size > maxConfig {
		return nil, pratique.Errorf(pratique.CodeLimit, "the image's config is larger than %d MiB", maxConfig>>20).
			WithRemedy("no image needs one that large; build the image again")
	}
	body, err := client.Blob(ctx, repository, d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := readLimited(body, maxConfig, "the image's config")
	if err != nil {
		return nil, err
	}
	return b, verify(b, d.Digest, "the image's config")
}

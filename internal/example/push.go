package example

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Registry is an empty registry in memory, for the estate.
func Registry() http.Handler {
	return registry.New(registry.Logger(log.New(io.Discard, "", 0)))
}

// Push puts repositories into the registry at base (http://HOST:PORT), which asks
// for no credentials. Pushing twice changes nothing.
func Push(ctx context.Context, base string, repositories []Repository) error {
	for _, r := range repositories {
		p := pusher{ctx: ctx, base: base + "/v2/" + r.Name}
		for _, tagged := range r.Tags {
			var err error
			if tagged.Index != nil {
				err = p.index(tagged.Index, tagged.Tag)
			} else {
				err = p.image(tagged.Image, tagged.Tag)
			}
			if err != nil {
				return fmt.Errorf("%s:%s: %w", r.Name, tagged.Tag, err)
			}
		}
	}
	return nil
}

type pusher struct {
	ctx  context.Context
	base string
}

// described is what an image and an index have in common.
type described interface {
	RawManifest() ([]byte, error)
	MediaType() (types.MediaType, error)
}

func (p pusher) index(index v1.ImageIndex, tag string) error {
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		if err == nil {
			err = p.image(img, d.Digest.String())
		}
		if err != nil {
			return err
		}
	}
	return p.manifest(index, tag)
}

func (p pusher) image(img v1.Image, reference string) error {
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		digest, err := l.Digest()
		if err != nil {
			return err
		}
		content, err := l.Compressed()
		if err == nil {
			err = p.blob(digest, content)
		}
		if err != nil {
			return err
		}
	}
	digest, err := img.ConfigName()
	if err != nil {
		return err
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	if err := p.blob(digest, bytes.NewReader(config)); err != nil {
		return err
	}
	return p.manifest(img, reference)
}

func (p pusher) blob(digest v1.Hash, content io.Reader) error {
	return p.send(http.MethodPost, "/blobs/uploads/?digest="+url.QueryEscape(digest.String()), "application/octet-stream", content)
}

func (p pusher) manifest(d described, reference string) error {
	raw, err := d.RawManifest()
	if err != nil {
		return err
	}
	kind, err := d.MediaType()
	if err != nil {
		return err
	}
	return p.send(http.MethodPut, "/manifests/"+reference, string(kind), bytes.NewReader(raw))
}

func (p pusher) send(method, path, kind string, content io.Reader) error {
	request, err := http.NewRequestWithContext(p.ctx, method, p.base+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 512)) // what can be read of the reason
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, body)
	}
	return nil
}

-- Images that are the newest or in use are few, and asked for by every page.
CREATE INDEX assets_interest ON assets (gone, source, id, newest, running, traits, status, scanned_at, worst, image_id) WHERE newest OR running;

import type { Schema } from '../api/client'
import { t } from '../i18n'
import { number } from '../lib/format'
import { detailOf } from './images/columns'

interface Props {
  image?: Schema<'AssetName'>
  images: number
  tab: string
  all: string
}

/** Holders is one image that has something, and how many others do. */
export function Holders({ image, images, tab, all }: Props) {
  return (
    <span>
      {image ? <a href={detailOf(image, tab)}>{image.repository}:{image.tag}</a> : <span className="muted">{t('finding.imageGone')}</span>}
      {images > 1 && <> <a href={all} className="tag outline">{t('finding.others', { count: images - 1, n: number(images - 1) })}</a></>}
    </span>
  )
}

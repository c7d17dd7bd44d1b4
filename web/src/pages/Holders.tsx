import { Link } from 'react-router'
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
      {image ? <Link to={detailOf(image, tab)}>{image.repository}:{image.tag}</Link> : <span className="muted">{t('finding.imageGone')}</span>}
      {images > 1 && <> <Link to={all} className="tag outline">{t('finding.others', { count: images - 1, n: number(images - 1) })}</Link></>}
    </span>
  )
}

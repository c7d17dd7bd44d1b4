import { Link } from 'react-router'
import { t } from '../i18n'

export function NotFoundPage() {
  return (
    <div className="empty">
      <h3>{t('notFound.title')}</h3>
      <p>{t('notFound.help')}</p>
      <Link to="/">{t('nav.overview')}</Link>
    </div>
  )
}

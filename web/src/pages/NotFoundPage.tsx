import { t } from '../i18n'

export function NotFoundPage() {
  return (
    <div className="empty">
      <h3>{t('notFound.title')}</h3>
      <p>{t('notFound.help')}</p>
      <a href="/">{t('nav.overview')}</a>
    </div>
  )
}

import type { Key, Project, Projects } from '../state/key.ts'
import { GatewayError } from '../wire/errors.ts'
import { allowList } from './allowed.ts'
import type { Subject } from './subject.ts'

/** A project, as far as its keys' requests are concerned. */
export interface ProjectSubject extends Subject {
  /** Absent: its keys may ask all models. */
  readonly allows: ((model: string) => boolean) | undefined
}

export interface ProjectSubjects {
  /** Undefined: the key belongs to none that limits it. Throws a 401 for one that was put away. */
  of(key: Key): ProjectSubject | undefined
}

export function projectSubjects(projects: Projects): ProjectSubjects {
  const made = new WeakMap<Project, ProjectSubject>()
  return {
    of(key) {
      const project = projects.of(key)
      if (!project) return undefined
      if (project.archivedAt !== undefined) throw archived(project)
      const known = made.get(project) ?? subjectOf(project)
      made.set(project, known)
      return known
    },
  }
}

function subjectOf({ id, name, limits }: Project): ProjectSubject {
  return { name: `project:${id}`, whose: `project ${name}`, limits, allows: allowanceOf(limits) }
}

function allowanceOf({ models, modelsDenied }: Project['limits']): ProjectSubject['allows'] {
  const allowed = models && allowList(models)
  const denied = modelsDenied && allowList(modelsDenied)
  if (!denied) return allowed
  return (model) => (allowed?.(model) ?? true) && !denied(model)
}

function archived({ name }: Project): GatewayError {
  const message = `The project ${name} is archived. Ask whoever runs this gateway.`
  return new GatewayError('unauthorized', message, { reason: 'project_archived' })
}

// Where events begin: the storage account's own, with an identity that may write into our queue, and the completion events', which take
// CloudEvents from the functions alone.

param location string
param tags object
param names object

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.storage
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.eventsIdentity
}

resource uploads 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: names.uploadEvents
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    source: account.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource completions 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: names.completionEvents
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
  }
}
